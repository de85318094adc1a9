// A tool's message, formatted when the formatter has arrived and plain until then.
import { lazy, Suspense } from 'react';

const Markdown = lazy(() => import('./Markdown'));

export function Message({ text }: { text: string }) {
  return (
    <Suspense fallback={<div style={{ whiteSpace: 'pre-wrap' }}>{text}</div>}>
      <Markdown text={text} />
    </Suspense>
  );
}
