"""Who declares what: claims in a DynamoDB table."""
