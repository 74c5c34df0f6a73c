// The SDK of AWS for JavaScript, as a program: its settings come from the environment.
//
//   node sqs.mjs create NAME.fifo    prints the URL of the new queue
//   node sqs.mjs send                sends the lines GROUP<TAB>BODY of standard input, in order
//   node sqs.mjs receive N           receives and deletes N messages, and prints them as `consumer` does
import { createInterface } from 'node:readline';
import {
  ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand, DeleteMessageCommand,
  GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand, SQSClient,
} from '@aws-sdk/client-sqs';

const client = new SQSClient({ maxAttempts: 1 });
const QueueUrl = process.env.SQS_QUEUE_URL;

const assert = (holds, what) => { if (!holds) throw new Error(what); };
const escapes = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escape = (text) => text.replace(/[\\\t\n\r]/g, (character) => escapes[character]);

async function create(QueueName) {
  const Attributes = { FifoQueue: 'true', ContentBasedDeduplication: 'false' };
  console.log((await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl);
}

async function readEntries() {
  const entries = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const tab = line.indexOf('\t');
    const Id = `entry-${entries.length}`;
    entries.push({
      Id, MessageGroupId: line.slice(0, tab), MessageBody: line.slice(tab + 1), MessageDeduplicationId: Id,
      MessageAttributes: { number: { DataType: 'Number', StringValue: `${entries.length}` } },
    });
  }
  return entries;
}

async function send() {
  const entries = await readEntries();
  // The first by itself, twice: the second time it is a duplicate. Then ten a request.
  const { Id, ...first } = entries[0];
  const once = await client.send(new SendMessageCommand({ QueueUrl, ...first }));
  const again = await client.send(new SendMessageCommand({ QueueUrl, ...first }));
  assert(once.MessageId === again.MessageId, 'a duplicate has another message id');
  for (let i = 1; i < entries.length; i += 10) {
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries.slice(i, i + 10) }));
    assert(!answer.Failed?.length, JSON.stringify(answer.Failed));
  }
}

async function receive(wanted) {
  const handles = new Set();
  while (handles.size < wanted) {
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({
      QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }));
    assert(Messages.length > 0, `only ${handles.size} messages came`);
    for (const { Attributes, Body, ReceiptHandle } of Messages) {
      console.log(`${Attributes.MessageGroupId}\t${Attributes.SequenceNumber}\t${escape(Body)}`);
      handles.add(ReceiptHandle);
    }
    const [first, ...rest] = Messages;
    await client.send(new ChangeMessageVisibilityCommand(
      { QueueUrl, ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 60 }));
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first.ReceiptHandle }));
    if (rest.length === 0) continue;
    const Entries = rest.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
    const answer = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    assert(!answer.Failed?.length, JSON.stringify(answer.Failed));
  }
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  const left = +Attributes.ApproximateNumberOfMessages + +Attributes.ApproximateNumberOfMessagesNotVisible;
  assert(left === 0, `${left} messages are left`);
}

const [, , command, argument] = process.argv;
await { create, send, receive: (n) => receive(+n) }[command](argument);
