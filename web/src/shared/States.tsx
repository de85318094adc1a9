// What a body shows when it has no rows to show: loading, empty, error, no permission.
import { Button, makeStyles, Skeleton, SkeletonItem, tokens } from '@fluentui/react-components';
import { DocumentSearch24Regular, ErrorCircle24Regular, Filter24Regular, LockClosed24Regular, SearchInfo24Regular } from '@fluentui/react-icons';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { ApiError } from '@/api/client';
import { holders, useMay } from '@/api/me';
import type { Permission } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { AppLink } from './location';
import { Page } from './Page';

const useStyles = makeStyles({
  box: {
    display: 'flex', flexDirection: 'column', alignItems: 'center', textAlign: 'center', gap: tokens.spacingVerticalS,
    padding: `${tokens.spacingVerticalXXXL} ${tokens.spacingHorizontalL}`, maxWidth: '560px', margin: '0 auto',
  },
  icon: { color: tokens.colorNeutralForeground3, lineHeight: 0 },
  title: { margin: 0, fontSize: tokens.fontSizeBase400, lineHeight: tokens.lineHeightBase400, fontWeight: tokens.fontWeightSemibold },
  note: { color: tokens.colorNeutralForeground2 },
  small: { color: tokens.colorNeutralForeground3, fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
  rows: { display: 'grid', gap: tokens.spacingVerticalM, padding: `${tokens.spacingVerticalM} 0` },
});

export function State({ icon, title, children, alert }: { icon: ReactElement; title: string; children?: ReactNode; alert?: boolean }) {
  const styles = useStyles();
  return (
    <div className={styles.box} role={alert ? 'alert' : undefined}>
      <span className={styles.icon} aria-hidden>
        {icon}
      </span>
      <h2 className={styles.title}>{title}</h2>
      {children}
    </div>
  );
}

export function Note({ children }: { children: ReactNode }) {
  return <span className={useStyles().note}>{children}</span>;
}

export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <State icon={<DocumentSearch24Regular />} title={title}>
      {children && <Note>{children}</Note>}
      {action}
    </State>
  );
}

/** Empty because of the filters, which is another thing than empty. */
export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <State icon={<Filter24Regular />} title={t.states.noMatchTitle}>
      <Note>{t.states.noMatch}</Note>
      <Button onClick={onClear}>{t.states.clear}</Button>
    </State>
  );
}

export function NoPermission({ permission }: { permission: Permission }) {
  return (
    <State icon={<LockClosed24Regular />} title={t.states.noPermissionTitle(t.permissions[permission])}>
      <Note>{t.states.noPermission(permission, holders(permission))}</Note>
      <Note>{t.states.noPermissionNext}</Note>
    </State>
  );
}

export function ErrorState({ error, onRetry, permission }: { error: unknown; onRetry?: () => void; permission?: Permission }) {
  const styles = useStyles();
  const known = error instanceof ApiError ? error : undefined;
  if (known?.status === 403 && permission) return <NoPermission permission={permission} />;
  if (known?.status === 404) {
    return (
      <State icon={<SearchInfo24Regular />} title={t.states.notFoundTitle} alert>
        <Note>{t.states.notFoundNext}</Note>
        <AppLink href={paths.overview()}>{t.states.toOverview}</AppLink>
      </State>
    );
  }
  return (
    <State icon={<ErrorCircle24Regular />} title={t.states.errorTitle} alert>
      <Note>{known?.status === 0 ? t.states.unreachable : error instanceof Error ? error.message : String(error)}</Note>
      {known?.requestId && <span className={styles.small}>{t.states.requestId(known.requestId)}</span>}
      {onRetry && <Button onClick={onRetry}>{t.app.retry}</Button>}
    </State>
  );
}

/** A skeleton in the shape of a list. */
export function ListSkeleton({ rows = 8, height = 20 }: { rows?: number; height?: 16 | 20 | 24 | 32 | 48 | 96 }) {
  const styles = useStyles();
  return (
    <Skeleton aria-label={t.app.loading} className={styles.rows}>
      {Array.from({ length: rows }, (_, i) => (
        <SkeletonItem key={i} size={height} />
      ))}
    </Skeleton>
  );
}

/** Shows the answer of a query, or the state it is in. The old answer stays while a new one is fetched. */
export function Loaded<T>({ query, skeleton, permission, children }: { query: UseQueryResult<T>; skeleton?: ReactNode; permission?: Permission; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} permission={permission} />;
  return <>{skeleton ?? <ListSkeleton />}</>;
}

/** Shows its children to those who hold the permission, and says which one is missing to others; `page` is the title of a whole page. */
export function Need({ permission, page, children }: { permission: Permission; page?: string; children: ReactNode }) {
  if (useMay(permission)) return <>{children}</>;
  const state = <NoPermission permission={permission} />;
  return page === undefined ? state : <Page title={page}>{state}</Page>;
}
