// sqs-producer sends 100 messages in five groups, sqs-consumer handles them: all of them, each group in its order.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { Producer } from 'sqs-producer';

const queueUrl = process.env.SQS_QUEUE_URL;
const messages = Array.from({ length: 100 }, (_, i) => (
  { id: `${i}`, body: `message ${i}`, groupId: `group-${(i * 3) % 7 % 5}`, deduplicationId: `${i}` }));
const byGroup = (list) => {
  const groups = {};
  for (const { groupId, body } of list) (groups[groupId] ??= []).push(body);
  return groups;
};

const producer = Producer.create({ queueUrl });
assert.equal((await producer.send(messages)).length, 100);
assert.equal(await producer.queueSize(), 100);

const handled = [];
const consumer = Consumer.create({
  queueUrl,
  batchSize: 10,
  waitTimeSeconds: 1,
  messageSystemAttributeNames: ['MessageGroupId'],
  suppressFifoWarning: true,
  handleMessageBatch: async (batch) => {
    for (const { Attributes, Body } of batch) handled.push({ groupId: Attributes.MessageGroupId, body: Body });
    return batch;
  },
});
for (const trouble of ['error', 'processing_error', 'timeout_error'])
  consumer.on(trouble, (error) => { console.error(error); process.exit(1); });
const emptied = once(consumer, 'empty');
consumer.start();
await emptied;
const stopped = once(consumer, 'stopped');
consumer.stop();
await stopped;

assert.equal(Object.keys(byGroup(messages)).length, 5);
assert.deepEqual(byGroup(handled), byGroup(messages));
const { Attributes } = await new SQSClient().send(
  new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }));
assert.equal(Attributes.ApproximateNumberOfMessages, '0');
assert.equal(Attributes.ApproximateNumberOfMessagesNotVisible, '0');
