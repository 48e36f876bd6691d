import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { asFailure } from '../api/client';
import { SayProvider } from '../shared/said';
import '../shared/tokens.css';
import '../shared/base.css';
import './admin.css';
import { App } from './App';

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A log-in that ended while the page was open shows the log-in form; what was typed elsewhere stays mounted no longer.
    onError: (error, failed) => {
      const ended = asFailure(error).code === 'unauthenticated' && failed.queryKey[0] !== 'session';
      if (ended) void client.invalidateQueries({ queryKey: ['session'] });
    },
  }),
  defaultOptions: {
    queries: {
      retry: (count, error) => asFailure(error).code === 'offline' && count < 2,
      refetchOnWindowFocus: false,
    },
  },
});

const root = document.getElementById('root');
if (!root) throw new Error('the page has no element with the id root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <SayProvider>
        <App />
      </SayProvider>
    </QueryClientProvider>
  </StrictMode>,
);
