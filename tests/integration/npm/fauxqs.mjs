// fauxqs on a free port of 127.0.0.1; its own program listens on every address. Prints its URL as `local_cloud` does.
import { buildApp } from 'fauxqs';

const address = await buildApp({ logger: false }).listen({ host: '127.0.0.1', port: 0 });
console.log(`AWS_ENDPOINT_URL_SQS=${address}\nready`);
