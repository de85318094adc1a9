import { describe, expect, it } from 'vitest';
import { previewable } from './mail';
import { tokenIn } from './unsubscribe';

describe('a mail in the preview', () => {
  it('keeps its words and looks', () => {
    const shown = previewable('<html><head><style>p { color: red }</style></head><body style="margin:0"><p>Two &lt;checks&gt; got worse</p></body></html>');
    expect(shown).toContain('<style>p { color: red }</style>');
    expect(shown).toContain('<p>Two &lt;checks&gt; got worse</p>');
  });

  it('leads nowhere and loads nothing', () => {
    const shown = previewable('<a href="https://portal.example/changes">Open</a><script>alert(1)</script><base href="//evil"><meta http-equiv="refresh" content="0;url=//evil"><link rel=stylesheet href=x><iframe src=x></iframe>');
    expect(shown).toContain('<a>Open</a>');
    expect(shown).not.toMatch(/script|evil|refresh|stylesheet|iframe/);
  });
});

describe('the token of a link to unsubscribe', () => {
  it('stands behind the hash, or as a parameter', () => {
    expect(tokenIn({ hash: '#abc.d%2Be', search: '' })).toBe('abc.d+e');
    expect(tokenIn({ hash: '', search: '?token=abc' })).toBe('abc');
    expect(tokenIn({ hash: '#first', search: '?token=second' })).toBe('first');
  });

  it('may be absent or broken', () => {
    expect(tokenIn({ hash: '', search: '' })).toBeUndefined();
    expect(tokenIn({ hash: '#', search: '?other=1' })).toBeUndefined();
    expect(tokenIn({ hash: '#%E0%A4%A', search: '' })).toBeUndefined();
  });
});
