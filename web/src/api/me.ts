// The caller, and the one question every page asks: may I?
import { queryOptions, useQuery } from '@tanstack/react-query';
import { t } from '@/messages';
import { wordList } from '@/shared/format';
import { api, unwrap } from './client';
import table from './permissions.json';
import type { Me, Permission, Role } from './schema';

export const meQuery = queryOptions({ queryKey: ['me'], queryFn: () => unwrap(api.GET('/api/v1/me')), staleTime: 60_000 });

/** The caller; pages are drawn only when it is known. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (!data) throw new Error('A page was drawn before the caller was known.');
  return data;
}

export function useMay(permission: Permission): boolean {
  return useMe().permissions.includes(permission);
}

/** Undefined when allowed; else the sentence that says why not, for a disabled button. */
export function useWhyNot(permission: Permission): string | undefined {
  return useMay(permission) ? undefined : t.states.notAllowed(permission, holders(permission));
}

/** The roles that hold a permission, as words: `Owners and Admins`. */
export function holders(permission: Permission): string {
  const grantees: string[] = table[permission];
  return wordList(grantees.filter((who): who is Role => who in t.roles).map((role) => `${t.roles[role as Role]}s`));
}
