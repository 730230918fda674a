"""The provider Lambda behind the Connect association custom resources.

``handler.on_event`` plans and changes nothing; ``handler.is_complete`` moves Connect one step
nearer to the plan and may run any number of times. Only the standard library and boto3 are
imported, so that the package runs in a bare Lambda Python runtime.
"""
