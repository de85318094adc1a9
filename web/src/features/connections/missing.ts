// Which permissions a connection asks for and lacks. Pure.
import type { Connection, ConnectionOffer, Feature } from '@/api/schema';

/** What people come for stands first. */
const ORDER: Feature[] = ['compliance_scan', 'exposure_scan', 'policies', 'threats', 'fixes'];

/** Every permission that any feature lacks, once. */
export function missingOf(connection: Pick<Connection, 'features'>): string[] {
  return [...new Set(connection.features.flatMap((feature) => feature.missing))].sort();
}

/** What an offer asks for, by the feature that needs it; a permission stands under each of its features. */
export function byFeature(offer: Pick<ConnectionOffer, 'permissions'>): { feature: Feature; permissions: string[] }[] {
  const groups = new Map<Feature, string[]>();
  for (const { permission, features } of offer.permissions) {
    for (const feature of features) groups.set(feature, [...(groups.get(feature) ?? []), permission]);
  }
  return ORDER.flatMap((feature) => {
    const permissions = groups.get(feature);
    return permissions ? [{ feature, permissions: permissions.sort() }] : [];
  });
}
