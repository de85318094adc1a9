// Planning fixes, wherever it is begun: from the page of fixes, from a policy that is not secure, from a fix that has to be planned anew.
import { api, unwrap } from '@/api/client';
import type { FixPlan, NewFixPlan } from '@/api/schema';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { useNotify } from '@/shared/notify';
import { useChange } from '@/shared/useChange';

/** To the plan, and to its first fix; where it proposes none because one is in hand already, to that one. */
export function pathOfPlan(plan: FixPlan): string {
  return paths.fixes('list', { plan: plan.id, item: plan.fixes[0]?.id ?? plan.left_out.find((each) => each.fix)?.fix ?? undefined });
}

export function usePlanning(then: (plan: FixPlan) => void) {
  const notify = useNotify();
  return useChange({
    run: (wanted: Partial<NewFixPlan>) => unwrap(api.POST('/api/v1/fix-plans', { body: { directory: null, scan: null, recipes: [], policies: [], ...wanted } })),
    name: f.plan.title, touches: ['list_fixes', 'get_fix', 'get_fix_plan'],
    then: (plan) => {
      notify.done(f.plan.done(plan.fixes.length));
      then(plan);
    },
  });
}
