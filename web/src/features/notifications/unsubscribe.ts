// The token of a link to unsubscribe. Pure.

/** Behind the hash, where no server logs it; a question mark is taken too, for mail programs that drop what follows a hash. */
export function tokenIn({ hash, search }: Pick<Location, 'hash' | 'search'>): string | undefined {
  const token = decode(hash.slice(1)) || new URLSearchParams(search).get('token');
  return token || undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
