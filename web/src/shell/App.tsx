// Theme, session, and what is drawn in each state of the session.
import { FluentProvider, makeStyles, Spinner, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import { ApiError } from '@/api/client';
import { meQuery } from '@/api/me';
import { currentSession, onSessionChange } from '@/auth/session';
import { t } from '@/messages';
import { paths } from '@/paths';
import { ErrorState } from '@/shared/States';
import { Notices } from '@/shared/notify';
import { router } from './router';
import { usePreferences, useTheme } from './preferences';

// Most visits begin signed in; these pages are for the others.
const SignInPage = lazy(() => import('@/auth/SignInPage').then((module) => ({ default: module.SignInPage })));
const Unreachable = lazy(() => import('@/auth/SignInPage').then((module) => ({ default: module.Unreachable })));
const UnsubscribePage = lazy(() => import('@/features/notifications/UnsubscribePage'));
const NotMember = lazy(() => import('@/auth/SignInPage').then((module) => ({ default: module.NotMember })));

const useStyles = makeStyles({
  root: { minHeight: '100vh', backgroundColor: tokens.colorNeutralBackground2 },
  middle: { display: 'grid', placeItems: 'center', minHeight: '100vh' },
});

export function App() {
  const styles = useStyles();
  const { name, theme } = useTheme();
  const { density } = usePreferences();
  useEffect(() => {
    document.documentElement.style.colorScheme = name === 'light' ? 'light' : 'dark';
    document.body.style.background = theme.colorNeutralBackground2;
  }, [name, theme]);
  return (
    <FluentProvider theme={theme}>
      {/* Not on the provider: what it wears is copied to every pop-up. */}
      <div className={styles.root} style={{ '--row-height': density === 'compact' ? '36px' : '48px' } as React.CSSProperties}>
        <Suspense fallback={<Waiting />}>
          {location.pathname === paths.unsubscribe() ? <UnsubscribePage /> : <Inside />}
        </Suspense>
      </div>
      <Notices />
    </FluentProvider>
  );
}

function Inside() {
  const session = useSyncExternalStore(onSessionChange, currentSession);
  switch (session.kind) {
    case 'starting':
      return <Waiting />;
    case 'unreachable':
      return <Unreachable detail={session.detail} />;
    case 'signed_out':
      return <SignInPage session={session} />;
    case 'signed_in':
      return <SignedIn username={session.username} />;
  }
}

function Waiting() {
  const styles = useStyles();
  return (
    <div className={styles.middle}>
      <Spinner label={t.app.loading} />
    </div>
  );
}

function SignedIn({ username }: { username: string }) {
  const styles = useStyles();
  const me = useQuery(meQuery);
  if (me.data) return <RouterProvider router={router} />;
  if (!me.isError) return <Waiting />;
  if (me.error instanceof ApiError && (me.error.status === 403 || me.error.status === 404)) return <NotMember username={username} error={me.error} />;
  return (
    <main className={styles.middle}>
      <ErrorState error={me.error} onRetry={() => void me.refetch()} />
    </main>
  );
}
