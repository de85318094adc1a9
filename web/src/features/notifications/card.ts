// What an adaptive card says, read into a few plain parts that can be drawn without the library that Teams draws it with. Only what our
// cards hold is understood; a part of another kind is counted, so that the drawing never silently leaves something out. Pure.

export type Part =
  | { kind: 'text'; text: string; size: 'normal' | 'large' | 'huge'; strong: boolean; subtle: boolean; tone?: Tone }
  | { kind: 'facts'; facts: { title: string; value: string }[] }
  /** A column that stretches takes the room that the others leave. */
  | { kind: 'columns'; columns: { stretch: boolean; parts: Part[] }[] }
  | { kind: 'group'; parts: Part[] };

export type Tone = 'bad' | 'warn' | 'good';

export interface Card {
  parts: Part[];
  actions: { title: string; url: string }[];
  /** How many elements could not be read. */
  unread: number;
}

type Json = Record<string, unknown>;

/** Takes the message as it is posted (`attachments[0].content`) or a card by itself; undefined when it is neither. */
export function cardIn(posted: unknown): Card | undefined {
  const message = object(posted);
  const content = message?.type === 'AdaptiveCard' ? message : object(object(list(message?.attachments)[0])?.content);
  if (content?.type !== 'AdaptiveCard') return undefined;
  const card: Card = { parts: [], actions: [], unread: 0 };
  card.parts = partsOf(content.body, card);
  actionsOf(content.actions, card);
  return card;
}

function partsOf(body: unknown, card: Card): Part[] {
  return list(body).flatMap((each) => {
    const element = object(each);
    switch (element?.type) {
      case 'TextBlock':
        return [textOf(element)];
      case 'RichTextBlock':
        return [{ kind: 'text' as const, text: list(element.inlines).map((inline) => (typeof inline === 'string' ? inline : word(object(inline)?.text))).join(''), size: 'normal' as const, strong: false, subtle: false }];
      case 'FactSet':
        return [{ kind: 'facts' as const, facts: list(element.facts).map((fact) => ({ title: word(object(fact)?.title), value: word(object(fact)?.value) })) }];
      case 'ColumnSet':
        return [{ kind: 'columns' as const, columns: list(element.columns).map((column) => ({ stretch: object(column)?.width === 'stretch', parts: partsOf(object(column)?.items, card) })) }];
      case 'Container':
        return [{ kind: 'group' as const, parts: partsOf(element.items, card) }];
      case 'ActionSet':
        actionsOf(element.actions, card);
        return [];
      default:
        card.unread += 1;
        return [];
    }
  });
}

const TONES: Record<string, Tone> = { Attention: 'bad', Warning: 'warn', Good: 'good' };

function textOf(element: Json): Part {
  const size = element.size === 'ExtraLarge' ? 'huge' : element.size === 'Large' || element.size === 'Medium' || element.style === 'heading' ? 'large' : 'normal';
  return { kind: 'text', text: word(element.text), size, strong: element.weight === 'Bolder', subtle: element.isSubtle === true, tone: TONES[word(element.color)] };
}

function actionsOf(actions: unknown, card: Card): void {
  for (const each of list(actions)) {
    const action = object(each);
    if (action?.type === 'Action.OpenUrl') card.actions.push({ title: word(action.title), url: word(action.url) });
    else card.unread += 1;
  }
}

const object = (value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const word = (value: unknown) => (typeof value === 'string' ? value : '');
