// How drift is laid out for reading. Pure; what moved and how was decided by the server.
import type { DriftItem, Movement, Product } from '@/api/schema';

/** The order in which movements are read: what got worse first. */
export const MOVEMENTS: Movement[] = ['regression', 'fixed', 'added', 'removed', 'other'];

/** The items of each movement, in reading order, without the empty ones. The order inside each is the server's. */
export function byMovement(items: DriftItem[]): { movement: Movement; items: DriftItem[] }[] {
  return MOVEMENTS.map((movement) => ({ movement, items: items.filter((item) => item.movement === movement) })).filter((group) => group.items.length > 0);
}

export type ProductRow = { product: Product | undefined } & Record<Movement, number>;

/** One row a product, those with most regressions first, then most movement. */
export function byProduct(items: DriftItem[]): ProductRow[] {
  const rows = new Map<Product | undefined, ProductRow>();
  for (const item of items) {
    const product = item.product ?? undefined;
    const row = rows.get(product) ?? { product, regression: 0, fixed: 0, added: 0, removed: 0, other: 0 };
    row[item.movement] += 1;
    rows.set(product, row);
  }
  const all = (row: ProductRow) => MOVEMENTS.reduce((sum, movement) => sum + row[movement], 0);
  return [...rows.values()].sort((a, b) => b.regression - a.regression || all(b) - all(a));
}
