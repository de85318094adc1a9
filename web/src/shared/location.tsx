// The address as state, and links that keep the scope. All navigation of the portal goes through here.
import { Link, type LinkProps, makeStyles, mergeClasses } from '@fluentui/react-components';
import { useRouter, useRouterState } from '@tanstack/react-router';
import { type AnchorHTMLAttributes, type MouseEvent, type ReactNode, useCallback } from 'react';
import { parseSearch, SCOPE_KEYS, type Search, withSearch } from '@/paths';

/** The search parameters of the present address. */
export function useSearch(): Record<string, string> {
  return useRouterState({ select: (state) => state.location.search as Record<string, string> });
}

export function usePath(): string {
  return useRouterState({ select: (state) => state.location.pathname });
}

/** Changes some search parameters and keeps the others; an undefined value takes one away. */
export function useSetSearch() {
  const router = useRouter();
  return useCallback(
    (change: Search, how: 'push' | 'replace' = 'push') => {
      const { pathname, search } = router.state.location;
      const href = withSearch(pathname, { ...(search as Search), ...change });
      if (how === 'push') router.history.push(href);
      else router.history.replace(href);
    },
    [router],
  );
}

/** What the whole portal is narrowed to. */
export function useScope(): { directory?: string; project?: string } {
  const { directory, project } = useSearch();
  return { directory, project };
}

/** Puts the present scope into an address that names none. */
export function useScoped(): (href: string) => string {
  const search = useSearch();
  return useCallback((href: string) => keepScope(href, search), [search]);
}

export function keepScope(href: string, present: Search): string {
  const [path = '', text = ''] = href.split('?');
  const search: Search = parseSearch(text);
  for (const key of SCOPE_KEYS) search[key] ??= present[key];
  return withSearch(path, search);
}

/** Goes to an address of the portal, keeping the scope. */
export function useGo(): (href: string) => void {
  const router = useRouter();
  const scoped = useScoped();
  return useCallback((href: string) => router.history.push(scoped(href)), [router, scoped]);
}

function plain(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey && !event.defaultPrevented;
}

function useLink(href: string, onClick?: (event: MouseEvent<HTMLAnchorElement>) => void) {
  const router = useRouter();
  const scoped = useScoped()(href);
  return {
    href: scoped,
    onClick: (event: MouseEvent<HTMLAnchorElement>) => {
      onClick?.(event);
      if (!plain(event)) return;
      event.preventDefault();
      router.history.push(scoped);
    },
  };
}

/** A link inside the portal, as Fluent draws links. */
export function AppLink({ href, inline, className, children }: { href: string; inline?: boolean; className?: string; children: ReactNode }) {
  return (
    <Link as="a" inline={inline} className={className} {...useLink(href)}>
      {children}
    </Link>
  );
}

const useStyles = makeStyles({ bare: { color: 'inherit', textDecorationLine: 'none' } });

/** A link inside the portal without looks of its own, for navigation and rows. */
export function BareLink({ href, onClick, className, ...rest }: Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & { href: string }) {
  const styles = useStyles();
  const link = useLink(href, onClick);
  return <a {...rest} className={mergeClasses(styles.bare, className)} {...link} />;
}

/** A link that leaves the portal: only to http and https, and telling the other side nothing. */
export function OutsideLink({ href, children, ...rest }: { href: string; children: ReactNode } & Pick<LinkProps, 'inline' | 'className'>) {
  if (!isWebUrl(href)) return <>{children}</>;
  return (
    <Link {...rest} as="a" href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </Link>
  );
}

export function isWebUrl(text: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
