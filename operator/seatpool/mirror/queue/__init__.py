"""From the SQS queue to Workbench objects: receiving, handling and acknowledging messages, and the dead letters.

In:
* `sqs_queue`: the queue itself: receive, delete, hide, depth.
* `consumer`: the loops that receive messages, have them handled, and acknowledge them.
* `handler`: groups a batch by instance and returns an `Ack` for each message.
* `resolver`: turns the messages of one instance into a write, and asks EC2 if needed.
* `ack`, `message_age`: what happens to a message, and the age of the oldest one.
* `dead_letter_writer`: moves a bad message to the dead-letter queue with its reason.
* `dead_letters`, `redrive_task`: list, redrive and purge dead letters, for `seatpool dlq`.

Not in: parsing (`mirror.messages`), EC2 calls (`mirror.ec2`), and writes (`mirror.workbenches`).

Read `consumer`, `handler`, `resolver`, `ack`.
"""
