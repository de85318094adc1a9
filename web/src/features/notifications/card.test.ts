import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cardIn } from './card';

/** What the server's own tests hold its cards to. */
const GOLDEN = join(import.meta.dirname, '../../../../crates/domain/src/notifications/render/golden');

const message = (body: unknown[], actions: unknown[] = []) => ({
  type: 'message',
  attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard', version: '1.4', body, actions } }],
});

describe('a card for Teams', () => {
  it('is read in its order, with what it leads to', () => {
    const card = cardIn(
      message(
        [
          { type: 'TextBlock', text: 'Two regressions', weight: 'Bolder', size: 'Medium', color: 'Attention', wrap: true },
          { type: 'FactSet', facts: [{ title: 'Directory', value: 'Contoso' }] },
          { type: 'ColumnSet', columns: [{ type: 'Column', items: [{ type: 'TextBlock', text: 'High' }] }, { type: 'Column', width: 'stretch', items: [] }] },
          { type: 'Container', items: [{ type: 'TextBlock', text: '3 more', isSubtle: true }] },
        ],
        [{ type: 'Action.OpenUrl', title: 'Open', url: 'https://portal.example/changes' }],
      ),
    );
    expect(card).toEqual({
      parts: [
        { kind: 'text', text: 'Two regressions', size: 'large', strong: true, subtle: false, tone: 'bad' },
        { kind: 'facts', facts: [{ title: 'Directory', value: 'Contoso' }] },
        { kind: 'columns', columns: [{ stretch: false, parts: [{ kind: 'text', text: 'High', size: 'normal', strong: false, subtle: false }] }, { stretch: true, parts: [] }] },
        { kind: 'group', parts: [{ kind: 'text', text: '3 more', size: 'normal', strong: false, subtle: true }] },
      ],
      actions: [{ title: 'Open', url: 'https://portal.example/changes' }],
      unread: 0,
    });
  });

  it.each(['drift', 'digest'])('is read whole as the server writes it: %s', (name) => {
    const card = cardIn(JSON.parse(readFileSync(join(GOLDEN, `${name}.card.json`), 'utf8')));
    expect(card?.unread).toBe(0);
    expect(card?.parts.length).toBeGreaterThan(2);
    expect(card?.actions[0]?.url).toMatch(/^https:/);
  });

  it('says what it could not read', () => {
    expect(cardIn(message([{ type: 'Table' }, { type: 'TextBlock', text: 'a' }], [{ type: 'Action.Submit' }]))?.unread).toBe(2);
  });

  it('is nothing else', () => {
    for (const other of [null, 'text', [], {}, { type: 'message', attachments: [] }, { type: 'message', attachments: [{ content: { type: 'HeroCard' } }] }]) expect(cardIn(other)).toBeUndefined();
  });
});
