// The members of members.yaml, in TypeScript. Deploy app.py first: it exports the service token.
import { App, CfnOutput, CustomResource, Fn, Stack } from 'aws-cdk-lib';

const app = new App();
const stack = new Stack(app, 'Members');
const nightShift = new CustomResource(stack, 'NightShift', {
  resourceType: 'Custom::ConnectTrafficDistributionGroupMembership',
  serviceToken: Fn.importValue('ConnectAssociations-ServiceToken'),
  properties: {
    InstanceId: '11111111-1111-4111-8111-111111111111',
    TrafficDistributionGroupId: '22222222-2222-4222-8222-000000000001',
    UserIds: ['33333333-3333-4333-8333-00000000000a', '33333333-3333-4333-8333-00000000000b'],
  },
});
new CfnOutput(stack, 'Members', { value: nightShift.getAttString('UserCount') });
app.synth();
