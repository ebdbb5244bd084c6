"""An honest re-creation of the published serverless pipeline, to be measured beside what replaces it.

What is published: an event rule; a function that reads an instance's tags and sends a custom event; another account's
function that maps the workbench's type to products and counts +1 or -1 in a DynamoDB item of product and user; a stream
function that writes a timestamp to an SSM parameter; and a function that runs every minute, compares timestamps and
sends, for each product, an SSM command with all its users.

Where that leaves room, the reading is the one that is kinder to it: a timestamp for each product, so that only changed
products are sent; functions and streams that take no time at all; nothing that fails. It begins at the custom event,
with which the measurement of the other side begins too.
"""
