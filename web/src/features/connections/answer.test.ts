import { describe, expect, it } from 'vitest';
import { answerIn } from './ConsentPage';

describe('what Microsoft puts into the address', () => {
  it('is handed on member by member, and nothing else is', () => {
    expect(answerIn({ state: 's', tenant: 't', admin_consent: 'True', directory: 'scope of the portal', evil: 'x' })).toEqual({
      state: 's', tenant: 't', admin_consent: 'True', error: null, error_subcode: null, error_description: null, scope: null,
    });
    expect(answerIn({ state: 's', error: 'access_denied', error_description: 'AADSTS65004: no', error_subcode: 'cancel' })).toMatchObject({ error: 'access_denied', error_subcode: 'cancel' });
  });

  it('is no answer without a state', () => {
    expect(answerIn({ tenant: 't', admin_consent: 'True' })).toBeUndefined();
  });
});
