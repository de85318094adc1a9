// How this person likes the portal to look, kept in this browser.
import type { Theme } from '@fluentui/react-components';
import { useEffect, useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
export type ThemeChoice = (typeof THEMES)[number];
export type Density = 'compact' | 'comfortable';

interface Preferences {
  theme: ThemeChoice;
  density: Density;
}

const KEY = 'bailiwick.preferences';
const listeners = new Set<() => void>();
let preferences = read();

function read(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>;
    return {
      theme: THEMES.find((theme) => theme === kept.theme) ?? 'system',
      density: kept.density === 'comfortable' ? 'comfortable' : 'compact',
    };
  } catch {
    return { theme: 'system', density: 'compact' };
  }
}

export function setPreferences(change: Partial<Preferences>): void {
  preferences = { ...preferences, ...change };
  localStorage.setItem(KEY, JSON.stringify(preferences));
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  const media = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('(forced-colors: active)')];
  listeners.add(listener);
  media.forEach((query) => query.addEventListener('change', listener));
  return () => {
    listeners.delete(listener);
    media.forEach((query) => query.removeEventListener('change', listener));
  };
}

export const usePreferences = () => useSyncExternalStore(subscribe, () => preferences);

type Shown = Exclude<ThemeChoice, 'system'>;

// Only the theme that is shown is loaded.
const load: Record<Shown, () => Promise<Theme>> = {
  light: async () => (await import('./themes/light')).theme,
  dark: async () => (await import('./themes/dark')).theme,
  contrast: async () => (await import('./themes/contrast')).theme,
};

function wanted(): Shown {
  if (preferences.theme !== 'system') return preferences.theme;
  if (matchMedia('(forced-colors: active)').matches) return 'contrast';
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

let shown: { name: Shown; theme: Theme } | undefined;

/** Loads the wanted theme; the one before stays until it has arrived. */
export async function followTheme(): Promise<void> {
  const name = wanted();
  if (shown?.name === name) return;
  const theme = await load[name]();
  if (wanted() !== name) return;
  shown = { name, theme };
  listeners.forEach((listener) => listener());
}

/** The theme that is shown now; the first is loaded before anything is drawn. */
export function useTheme(): { name: Shown; theme: Theme } {
  const now = useSyncExternalStore(subscribe, () => shown);
  const next = useSyncExternalStore(subscribe, wanted);
  useEffect(() => void followTheme(), [next]);
  if (!now) throw new Error('Something was drawn before its theme was loaded.');
  return now;
}
