import { describe, expect, it } from 'vitest';
import { byFeature, missingOf } from './missing';

describe('permissions', () => {
  it('that several features lack are missing once', () => {
    const features = [
      { feature: 'policies' as const, ready: false, needs: ['A', 'B'], missing: ['B'] },
      { feature: 'threats' as const, ready: false, needs: ['B', 'C'], missing: ['C', 'B'] },
      { feature: 'compliance_scan' as const, ready: true, needs: ['A'], missing: [] },
    ];
    expect(missingOf({ features })).toEqual(['B', 'C']);
  });

  it('are shown under every feature that asks for them', () => {
    const permissions = [{ permission: 'B', features: ['policies' as const, 'threats' as const] }, { permission: 'A', features: ['threats' as const] }];
    expect(byFeature({ permissions })).toEqual([{ feature: 'policies', permissions: ['B'] }, { feature: 'threats', permissions: ['A', 'B'] }]);
  });
});
