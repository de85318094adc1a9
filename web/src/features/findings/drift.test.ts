import { describe, expect, it } from 'vitest';
import type { DriftItem, Movement, Product } from '@/api/schema';
import { byMovement, byProduct } from './drift';

const item = (movement: Movement, product: Product | null, check_key: string = movement): DriftItem => ({ movement, product, check_key, title: '', severity: 'high', group: '' });

describe('drift for reading', () => {
  const items = [item('other', 'teams'), item('fixed', 'entra'), item('regression', 'teams', 'b'), item('regression', 'entra', 'a'), item('added', null)];

  it('puts what got worse first and leaves out what did not happen', () => {
    expect(byMovement(items).map((group) => group.movement)).toEqual(['regression', 'fixed', 'added', 'other']);
  });

  it('keeps the order of the server inside a movement', () => {
    expect(byMovement(items)[0]?.items.map((each) => each.check_key)).toEqual(['b', 'a']);
  });

  it('loses nothing and counts nothing twice', () => {
    expect(byMovement(items).flatMap((group) => group.items)).toHaveLength(items.length);
    const counted = byProduct(items).reduce((sum, row) => sum + row.regression + row.fixed + row.added + row.removed + row.other, 0);
    expect(counted).toBe(items.length);
  });

  it('orders products by regressions, and keeps results without a product', () => {
    const rows = byProduct([item('fixed', 'entra'), item('fixed', 'entra'), item('regression', 'teams'), item('added', null)]);
    expect(rows.map((row) => row.product)).toEqual(['teams', 'entra', undefined]);
  });
});
