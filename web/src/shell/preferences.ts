// How this person likes the portal to look, kept in this browser.
import { type Theme, teamsHighContrastTheme, webDarkTheme, webLightTheme } from '@fluentui/react-components';
import { useSyncExternalStore } from 'react';

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

const themes: Record<Exclude<ThemeChoice, 'system'>, Theme> = {
  light: webLightTheme,
  dark: webDarkTheme,
  contrast: teamsHighContrastTheme,
};

function shown(): Exclude<ThemeChoice, 'system'> {
  if (preferences.theme !== 'system') return preferences.theme;
  if (matchMedia('(forced-colors: active)').matches) return 'contrast';
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** The theme that is shown now. */
export function useTheme(): { name: Exclude<ThemeChoice, 'system'>; theme: Theme } {
  const name = useSyncExternalStore(subscribe, shown);
  return { name, theme: themes[name] };
}
