// The one way to the API: typed by the contract, each call with the caller's token, each refusal an ApiError.
import createClient, { type Middleware } from 'openapi-fetch';
import { freshToken, sessionEnded } from '@/auth/session';
import type { Permission, paths as Api, ProblemBody } from './schema';

/** A refusal or failure as the server words it, or the network's silence in the same shape. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId?: string,
    readonly place?: string,
    readonly permission?: Permission,
  ) {
    super(message);
  }
}

const authorise: Middleware = {
  async onRequest({ request }) {
    request.headers.set('Authorization', `Bearer ${await freshToken()}`);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) sessionEnded();
  },
};

const openClient = createClient<Api>({ baseUrl: '' });
openClient.use(authorise);
export const api = openClient;

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's data, or an ApiError. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await reached(call);
  if (!response.ok) throw problem(response, error);
  return data as T;
}

/** The raw bytes of an answer, for artifacts. */
export async function fetchBytes(path: string): Promise<Blob> {
  const response = await reached(fetch(path, { headers: { Authorization: `Bearer ${await freshToken()}` } }));
  if (response.status === 401) sessionEnded();
  if (!response.ok) throw problem(response, await response.json().catch(() => undefined));
  return response.blob();
}

async function reached<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(0, 'unreachable', error instanceof Error ? error.message : String(error));
  }
}

export function problem(response: Response, body: unknown): ApiError {
  const known = (body ?? {}) as Partial<ProblemBody>;
  return new ApiError(
    response.status,
    known.code ?? String(response.status),
    known.detail || known.title || response.statusText,
    known.request_id ?? response.headers.get('x-request-id') ?? undefined,
    known.place ?? undefined,
  );
}
