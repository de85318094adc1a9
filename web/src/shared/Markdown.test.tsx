// @vitest-environment jsdom
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import Markdown from './Markdown';

function shown(text: string): HTMLElement {
  const page = document.createElement('div');
  page.innerHTML = renderToStaticMarkup(<Markdown text={text} />);
  return page;
}

describe('a message of a report', () => {
  it('keeps its formatting: lists, tables, code', () => {
    const page = shown('**Bold**\n\n* one\n* two\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\n`code`');
    expect(page.querySelectorAll('li')).toHaveLength(2);
    expect(page.querySelectorAll('td')).toHaveLength(2);
    expect(page.querySelector('code')?.textContent).toBe('code');
  });

  it.each([
    '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '<iframe src="https://evil.example"></iframe>', '<svg onload=alert(1)>', '<a href="javascript:alert(1)">x</a>',
    '<style>*{display:none}</style>', '<form action="https://evil.example"><input name=a></form>', '<details open ontoggle=alert(1)>x</details>', '<math><mtext><script>1</script></mtext></math>',
    '![x](https://evil.example/pixel.png)', '![x](data:image/svg+xml;base64,PHN2Zz4=)',
  ])('runs, loads and draws nothing of its own: %s', (text) => {
    const page = shown(text);
    expect(page.querySelector('script, img, iframe, svg, style, form, input, object, embed, link, meta, base, math, details')).toBeNull();
    for (const element of page.querySelectorAll('*')) {
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^src$|^style$/);
    }
  });

  it.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,<script>1</script>', 'vbscript:x', 'file:///etc/passwd', '/settings/keys', '//evil.example', 'java\tscript:alert(1)'])(
    'makes no link of %s',
    (url) => {
      const hrefs = [...shown(`[press](<${url}>)`).querySelectorAll('a')].map((link) => link.getAttribute('href'));
      expect(hrefs).toEqual([]);
    },
  );

  it('links to the web without saying where from', () => {
    const link = shown('[docs](https://maester.dev/docs)').querySelector('a');
    expect(link?.getAttribute('href')).toBe('https://maester.dev/docs');
    expect(link?.getAttribute('rel')).toContain('noreferrer');
  });
});
