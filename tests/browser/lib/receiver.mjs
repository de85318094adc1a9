// A receiver of webhooks, as a customer would run one: it keeps what arrives, and checks signatures as the Standard Webhooks scheme says.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

export async function startReceiver() {
  const taken = [];
  const receiver = { taken, answer: 204 };
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    taken.push({ path: request.url, headers: request.headers, body: Buffer.concat(pieces) });
    response.writeHead(receiver.answer).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  receiver.url = `http://127.0.0.1:${server.address().port}`;
  receiver.stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return receiver;
}

/** Whether one of the signatures was made with the secret. */
export function signed({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`).update(body).digest();
  return headers['webhook-signature'].split(' ').some((each) => {
    const [version, signature] = each.split(',');
    const found = Buffer.from(signature, 'base64');
    return version === 'v1' && found.length === wanted.length && timingSafeEqual(found, wanted);
  });
}
