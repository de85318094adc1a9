// A server of the attacker's: it counts whatever reaches it, by TCP as a web server and by UDP as a STUN server.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

export async function startOutside() {
  const heard = [];
  const web = createServer((request, response) => {
    heard.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'text/html' }).end('<h1>Caught</h1>');
  });
  web.on('upgrade', (request, socket) => {
    heard.push(`UPGRADE ${request.url}`);
    socket.destroy();
  });
  const datagrams = createSocket('udp4').on('message', (message) => heard.push(`UDP ${message.length} bytes`));
  web.listen(0, '127.0.0.1');
  datagrams.bind(0, '127.0.0.1');
  await Promise.all([once(web, 'listening'), once(datagrams, 'listening')]);
  return {
    heard,
    url: `http://127.0.0.1:${web.address().port}`,
    stun: `stun:127.0.0.1:${datagrams.address().port}`,
    stop: async () => {
      datagrams.close();
      web.closeAllConnections();
      web.close();
      await once(web, 'close');
    },
  };
}
