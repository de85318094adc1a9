// The API as a script of the tenant's people and pipelines uses it, to know what the pages must say and to send what they show.
import { createHash } from 'node:crypto';
import { until } from './wait.mjs';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export class Api {
  constructor(url, headers) {
    this.url = url;
    this.headers = headers;
  }

  async send(method, path, body, more = {}) {
    const json = body !== undefined && !Buffer.isBuffer(body);
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': json ? 'application/json' : 'application/octet-stream' }), ...more },
      body: json ? JSON.stringify(body) : body,
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  get(path) {
    return this.send('GET', path);
  }

  /** Submits files as a run and waits until it is settled. */
  async submit(source, files) {
    const run = await this.send('POST', '/api/v1/runs', { source });
    for (const { name, bytes } of files) await this.send('PUT', `/api/v1/runs/${run.id}/artifacts/${encodeURIComponent(name)}?sha256=${sha256(bytes)}`, bytes);
    await this.send('POST', `/api/v1/runs/${run.id}/complete`, { artifacts: files.map(({ name, bytes }) => ({ name, sha256: sha256(bytes) })) });
    return until(async () => {
      const now = await this.get(`/api/v1/runs/${run.id}`);
      return ['succeeded', 'failed', 'duplicate'].includes(now.state) && now;
    }, `run ${run.id} to settle`, 30_000);
  }
}
