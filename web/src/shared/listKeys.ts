// j and k (and the arrows) walk a list: they move the focus among rows, or the item of the open side panel.
import { type RefObject, useEffect, useEffectEvent } from 'react';
import { useSearch, useSetSearch } from './location';

/** Where keys mean something else already. */
const TAKEN = 'input, textarea, select, [contenteditable], [role=menu], [role=listbox], [role=combobox], [role=tablist], [role=radiogroup], [aria-modal=true]';

interface Walk {
  keys: string[];
  list: RefObject<HTMLElement | null>;
  /** Brings a row that is not drawn yet into view. */
  reach: (index: number) => void;
  /** The item whose side panel is open. */
  selected?: string;
}

export function useListKeys({ keys, list, reach, selected }: Walk): void {
  const set = useSetSearch();
  const open = useSearch().item;
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target?.closest(TAKEN)) return;
    const step = event.key === 'j' || event.key === 'ArrowDown' ? 1 : event.key === 'k' || event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || keys.length === 0) return;
    const focused = list.current?.contains(target) ? (target?.closest<HTMLElement>('[data-row]')?.dataset.row ?? undefined) : undefined;
    const walking = open !== undefined && open === selected;
    // Away from the list, arrows scroll as ever.
    if (event.key.startsWith('Arrow') && !walking && focused === undefined) return;
    const from = keys.indexOf((walking ? selected : focused) ?? '');
    const to = Math.min(keys.length - 1, Math.max(0, from + step));
    if (to === from) return;
    event.preventDefault();
    const key = keys[to]!;
    if (walking) set({ item: key }, 'replace');
    reach(to);
    requestAnimationFrame(() => {
      const row = list.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
      row?.scrollIntoView({ block: 'nearest' });
      if (!walking) row?.querySelector<HTMLElement>('[data-row-link]')?.focus();
    });
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}
