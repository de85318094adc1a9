// The words of the section Notifications. Kept apart from the others because its pages are loaded when they are first visited, and the
// first page of the portal should not carry them.
import { notifications } from './en.notifications';

export type Words = typeof notifications;
export const n: Words = notifications;
