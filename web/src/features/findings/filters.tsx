// The filters that lists of checks share.
import type { Family, Product, Severity } from '@/api/schema';
import { t } from '@/messages';
import { type Choice, FilterPill } from '@/shared/FilterRow';

export type Counted = { value: string; count: number }[];

const WORST_FIRST: Severity[] = ['critical', 'high', 'medium', 'low', 'info', 'none'];

function choices<T extends string>(words: Record<T, string>, counts: Counted | undefined, order = Object.keys(words) as T[]): Choice[] {
  return order
    .map((value) => ({ value, label: words[value], count: counts && (counts.find((facet) => facet.value === value)?.count ?? 0) }))
    .filter((choice) => choice.count === undefined || choice.count > 0);
}

export const SeverityPill = ({ counts }: { counts?: Counted }) => <FilterPill param="severity" name={t.filter.severity} choices={choices(t.severities, counts, WORST_FIRST)} />;
export const FamilyPill = ({ counts }: { counts?: Counted }) => <FilterPill param="family" name={t.filter.family} choices={choices(t.families, counts)} />;
export const ProductPill = ({ counts }: { counts?: Counted }) => <FilterPill param="product" name={t.filter.product} choices={choices(t.products, counts)} />;
export const StatusPill = ({ counts }: { counts?: Counted }) => <FilterPill param="status" name={t.filter.status} choices={choices(t.statuses, counts && withZero(counts))} fallback="open" />;

/** Open and fixed are both offered, whatever they hold. */
function withZero(counts: Counted): Counted | undefined {
  return counts.length === 2 ? counts : undefined;
}

/** A word of the address, if it is one of those we know: addresses are typed and shared by hand. */
export function known<T extends string>(words: Record<T, string>, value: string | undefined): T | undefined {
  return value !== undefined && Object.hasOwn(words, value) ? (value as T) : undefined;
}

export const family = (value: string | undefined): Family | undefined => known(t.families, value);
export const product = (value: string | undefined): Product | undefined => known(t.products, value);
export const severity = (value: string | undefined): Severity | undefined => known(t.severities, value);
