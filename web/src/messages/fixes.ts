// The words of Fixes and of contained people. Kept apart from the others because their pages are loaded when they are first visited.
import { fixes } from './en.fixes';

export type Words = typeof fixes;
export const f: Words = fixes;
