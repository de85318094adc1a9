// The mails that the demo's mail server has taken, read as far as the stories look at them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './wait.mjs';

/** Waits for a mail to an address whose subject matches, and reads it. */
export function mailTo(folder, address, subject) {
  return until(async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.eml')).sort().reverse();
    for (const name of names) {
      const mail = parse(await readFile(join(folder, name), 'latin1'));
      if (mail.headers.to?.includes(address) && subject.test(mail.headers.subject ?? '')) return mail;
    }
    return undefined;
  }, `a mail to ${address}`, 30_000);
}

/** Headers by their small names, and the parts by their kind, decoded. */
function parse(text) {
  const { headers, body } = split(text);
  const boundary = /boundary="?([^";]+)/i.exec(headers['content-type'] ?? '')?.[1];
  const parts = boundary ? body.split(`--${boundary}`).slice(1, -1).map((each) => split(each.replace(/^\r\n/, ''))) : [{ headers, body }];
  const kind = (part) => (part.headers['content-type'] ?? 'text/plain').split(';')[0].trim();
  return { headers, parts: Object.fromEntries(parts.map((part) => [kind(part), decoded(part)])) };
}

function split(text) {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const headers = Object.fromEntries(head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), words(line.slice(line.indexOf(':') + 1).trim())]));
  return { headers, body: text.slice(end + 4) };
}

/** Encoded words of a header (RFC 2047). */
function words(value) {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how, text) => Buffer.from(how.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : quoted(text.replace(/_/g, ' '))).toString('utf8'));
}

function decoded({ headers, body }) {
  switch ((headers['content-transfer-encoding'] ?? '7bit').toLowerCase()) {
    case 'base64':
      return Buffer.from(body, 'base64').toString('utf8');
    case 'quoted-printable':
      return quoted(body.replace(/=\r\n/g, '')).toString('utf8');
    default:
      return Buffer.from(body, 'latin1').toString('utf8');
  }
}

const quoted = (text) => Buffer.from(text.replace(/=([0-9A-F]{2})/gi, (_, code) => String.fromCharCode(parseInt(code, 16))), 'latin1');
