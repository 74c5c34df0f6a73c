// What clients from npm take for the calls that dmq_bench measures: node npm_clients.mjs URL N, a line of JSON for each.
// CPU time is that of all threads of the process. At URL is a local_cloud with an empty queue.
import { readFileSync } from "node:fs";
import { SQSClient, SendMessageCommand, SendMessageBatchCommand, ReceiveMessageCommand, DeleteMessageBatchCommand }
  from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { Producer } from "sqs-producer";

const [url, count] = [process.argv[2], Number(process.argv[3])];
const queue = `${url}/000000000000/dmq.fifo`;
const sqs = new SQSClient({
  endpoint: url,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIALOCALCLOUD000000", secretAccessKey: "local-cloud-secret-key" },
});
const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;

const ten = [...Array(10).keys()];
const body = "x".repeat(256);
let ids = 0;
const message = (i) => ({ MessageBody: body, MessageGroupId: `group-${i}`, MessageDeduplicationId: String(++ids) });

function print(client, call, n, spent) {
  const cost = Math.round(((spent.user + spent.system) / n) * 10) / 10;
  console.log(JSON.stringify({ op: "client", client: `${client} ${versionOf(client)}`, call, n, cpu_us_per_request: cost }));
}

async function measure(client, call, requests, run) {
  const calls = Math.max(10, Math.floor(count / requests));
  for (let i = 0; i < 200; ++i) await run(); // The compiler warms up.
  const before = process.cpuUsage();
  for (let i = 0; i < calls; ++i) if (!(await run())) throw new Error(`${call}: no answer`);
  print(client, call, calls * requests, process.cpuUsage(before));
}

await measure("@aws-sdk/client-sqs", "send", 1, async () =>
  (await sqs.send(new SendMessageCommand({ QueueUrl: queue, ...message(0) }))).MessageId);
await measure("@aws-sdk/client-sqs", "sendbatch", 1, async () =>
  (await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries: ten.map((i) => ({ Id: String(i), ...message(i) })) }))).Successful);
await measure("@aws-sdk/client-sqs", "recvdel", 2, async () => {
  const received = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10, AttributeNames: ["All"] }));
  const Entries = received.Messages.map((m, i) => ({ Id: String(i), ReceiptHandle: m.ReceiptHandle }));
  return (await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue, Entries }))).Successful;
});

const producer = Producer.create({ queueUrl: queue, sqs });
await measure("sqs-producer", "sendbatch", 1, () =>
  producer.send(ten.map((i) => ({ id: String(i), body, groupId: `group-${i}`, deduplicationId: String(++ids) }))));

// Ten messages a receive and a delete, until as many requests were made.
await new Promise((resolve, reject) => {
  const batches = Math.max(10, Math.floor(count / 2));
  let handled = 0;
  let before;
  const consumer = Consumer.create({
    queueUrl: queue,
    sqs,
    batchSize: 10,
    attributeNames: ["All"],
    handleMessageBatch: async (messages) => {
      if (++handled === 100) before = process.cpuUsage();
      if (handled === 100 + batches) {
        print("sqs-consumer", "recvdel", 2 * batches, process.cpuUsage(before));
        consumer.stop();
        resolve();
      }
      return messages;
    },
  });
  consumer.on("error", reject);
  consumer.start();
});
process.exit(0);
