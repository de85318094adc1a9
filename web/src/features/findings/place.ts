// Where in the code, in the way compilers say it.
import type { Location } from '@/api/schema';

/** `src/main.tf:12`; undefined when there is no place. */
export function place(location: Location | null | undefined): string | undefined {
  if (!location) return undefined;
  return [location.path, location.start_line].filter((each) => each !== undefined && each !== null).join(':');
}
