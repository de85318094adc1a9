// How the portal is built. The output is static files that the server serves under a strict Content-Security-Policy, so nothing here
// may need inline scripts or eval; the module-preload polyfill (an inline script in effect) is therefore off.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: { polyfill: false },
    // Data URLs would hide assets from the size check and from the policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: {
    proxy: {
      '/api': { target: process.env.BAILIWICK_URL ?? 'http://127.0.0.1:8480', changeOrigin: false },
    },
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
