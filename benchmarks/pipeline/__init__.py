"""Re-creates the published serverless pipeline, to measure it beside Seatpool.

What is published: an event rule. A function that reads an instance's tags and sends a custom event. Another account's
function that maps the workbench's type to products and counts +1 or -1 in a DynamoDB item of product and user. A stream
function that writes a timestamp to an SSM parameter. A function that runs every minute, compares timestamps and sends,
for each product, an SSM command with all its users.

Where that leaves a choice, the one that is better for the pipeline is taken: a timestamp for each product, so that only
changed products are sent; functions and streams that take no time; and nothing that fails. It begins at the custom
event, as the measurement of the other side does.
"""
