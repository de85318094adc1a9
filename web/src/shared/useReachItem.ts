// An address may name an item further down a list than what has been loaded: load on until it is there.
import { useEffect } from 'react';

/** Enough for any address made by hand or by a colleague; a whole list of a million is not fetched for one item. */
const MOST_PAGES = 20;

interface Reach {
  item: string | undefined;
  keys: string[] | undefined;
  pages: number;
  more: { has: boolean; loading: boolean; load: () => void };
}

export function useReachItem({ item, keys, pages, more }: Reach): void {
  const at = item === undefined || !keys ? undefined : keys.indexOf(item);
  // Also a little ahead of the end, so that walking the list does not stop at a page.
  const wanted = at !== undefined && keys !== undefined && (at === -1 || at >= keys.length - 3);
  const go = wanted && more.has && !more.loading && pages < MOST_PAGES;
  useEffect(() => {
    if (go) more.load();
    // `more` is made anew on each drawing; whether to go on is what counts.
  }, [go]);
}
