import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../shared/tokens.css';
import '../shared/base.css';
import './site.css';
import { Site } from './Site';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no element with the id root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={new QueryClient()}>
      <Site />
    </QueryClientProvider>
  </StrictMode>,
);
