// The portal begins here: ask who is signed in, then draw.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/client';
import { startSession } from './auth/session';
import { paths } from './paths';
import { App } from './shell/App';
import { followTheme } from './shell/preferences';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A refusal stays a refusal; only silence and overload are worth another try.
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 502),
    },
  },
});

// Whoever comes from a mail to unsubscribe is not asked to sign in.
if (location.pathname !== paths.unsubscribe()) void startSession();
await followTheme();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
