// The rows of a long list: only those near the screen are drawn. Loaded with the first list that needs it.
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useState } from 'react';

const ABOVE = 96;
const BELOW = 24;

interface Props {
  count: number;
  body: RefObject<HTMLDivElement | null>;
  draw: (index: number, measure: (node: Element | null) => void) => ReactNode;
  /** Set to what brings a row into view. */
  reach: RefObject<((index: number) => void) | null>;
}

export default function VirtualRows({ count, body, draw, reach }: Props) {
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => setMargin((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [body]);
  const virtualizer = useWindowVirtualizer({ count, estimateSize: () => 37, overscan: 16, scrollMargin: margin });
  useEffect(() => {
    reach.current = (index) => {
      const item = virtualizer.measurementsCache[index];
      if (!item) return;
      // The row must clear the bar on top, and only what is out of sight moves.
      if (item.start - ABOVE < window.scrollY) window.scrollTo(0, item.start - ABOVE);
      else if (item.end + BELOW > window.scrollY + window.innerHeight) window.scrollTo(0, item.end + BELOW - window.innerHeight);
    };
    return () => {
      reach.current = null;
    };
  }, [reach, virtualizer]);
  const items = virtualizer.getVirtualItems();
  const before = items[0] ? items[0].start - margin : 0;
  // Before the window is measured there are no items; the full height holds the place, so that the page does not jump to its top.
  const after = virtualizer.getTotalSize() - (items.length > 0 ? items[items.length - 1]!.end - margin : 0);
  return (
    <div role="rowgroup" ref={body} style={{ paddingTop: before, paddingBottom: after }}>
      {items.map((item) => draw(item.index, virtualizer.measureElement))}
    </div>
  );
}
