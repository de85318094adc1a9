// From a failing check to its fix: planned by the recipes that are for it, in the directory it fails in.
import { useQuery } from '@tanstack/react-query';
import { useMay, useWhyNot } from '@/api/me';
import type { DirectoryId } from '@/api/schema';
import { f } from '@/messages/fixes';
import { Action } from '@/shared/Action';
import { useGo } from '@/shared/location';
import { recipesQuery } from './queries';
import { pathOfPlan, usePlanning } from './usePlanning';

/** Nothing where no recipe is for the check. */
export function FixOfCheck({ check, directory }: { check: string; directory: DirectoryId }) {
  const go = useGo();
  const recipes = useQuery({ ...recipesQuery(directory), enabled: useMay('fixes.read') }).data?.items.filter((each) => each.checks.includes(check)) ?? [];
  const whyNot = useWhyNot('fixes.plan');
  const planning = usePlanning((plan) => go(pathOfPlan(plan)));
  if (recipes.length === 0) return null;
  return (
    <Action size="small" whyNot={whyNot} disabledFocusable={planning.isPending} onClick={() => planning.mutate({ directory, recipes: recipes.map((each) => each.id) })}>
      {f.plan.forCheck}
    </Action>
  );
}
