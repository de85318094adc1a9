// The words of the section Microsoft 365. Kept apart from the others because its pages are loaded when they are first visited, and the
// first page of the portal should not carry them.
import { m365 } from './en.microsoft365';

export type Words = typeof m365;
export const m: Words = m365;
