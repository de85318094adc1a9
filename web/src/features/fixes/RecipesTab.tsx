// What may be written at all: every recipe, the permission it needs, and whether the write connection holds it.
import { CheckmarkCircle16Filled, QuestionCircle16Regular, Warning16Filled } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import type { FixRecipe } from '@/api/schema';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { Badge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { FilterPill, FilterRow, FilterSearch } from '@/shared/FilterRow';
import { AppLink, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { EmptyState, Loaded, NoMatch, Note } from '@/shared/States';
import { choicesOf } from '@/features/scans/HistoryTab';
import { known } from '@/features/findings/filters';
import { RiskBadge } from './badges';
import { recipesQuery } from './queries';

const words = f.recipes;
const FILTERS = ['search', 'risk', 'kind'];

const columns: Column<FixRecipe>[] = [
  { key: 'title', name: words.recipe, width: 'minmax(0, 3fr)', cell: (row) => <span title={row.title}>{row.title}</span> },
  { key: 'kind', name: words.kind, width: '150px', cell: (row) => f.kinds[row.kind] },
  { key: 'risk', name: words.risk, width: '116px', cell: (row) => <RiskBadge risk={row.risk} /> },
  { key: 'permission', name: words.permission, width: 'minmax(0, 2fr)', cell: (row) => <Mono>{row.permission}</Mono> },
  { key: 'granted', name: words.held, width: '170px', cell: (row) => <Granted recipe={row} /> },
  { key: 'checks', name: words.checks, width: '64px', align: 'end', wideOnly: true, cell: (row) => row.checks.length },
];

function Granted({ recipe: { granted, permission } }: { recipe: FixRecipe }) {
  if (permission.startsWith('AzureRole:')) return <Badge tone="calm" icon={QuestionCircle16Regular} word={words.azure} />;
  if (granted === undefined || granted === null) return <Badge tone="calm" icon={QuestionCircle16Regular} word={words.unknown} />;
  return granted ? <Badge tone="good" icon={CheckmarkCircle16Filled} word={words.yes} /> : <Badge tone="warn" icon={Warning16Filled} word={words.no} />;
}

export function RecipesTab() {
  const search = useSearch();
  const set = useSetSearch();
  const item = usePath() === paths.fixes('recipes') ? search.item : undefined;
  const query = useQuery(recipesQuery(search.directory));
  const wanted = (search.search ?? '').toLowerCase();
  const risk = known(f.risks, search.risk);
  const kind = known(f.kinds, search.kind);
  const fits = (each: FixRecipe) =>
    (risk === undefined || each.risk === risk) && (kind === undefined || each.kind === kind) && [each.id, each.title, each.permission, ...each.checks].some((text) => text.toLowerCase().includes(wanted));
  const rows = query.data?.items.filter(fits);
  const chosen = query.data?.items.find((each) => each.id === item);
  return (
    <>
      <FilterRow keys={FILTERS}>
        <FilterSearch label={words.search} />
        <FilterPill param="risk" name={words.risk} choices={choicesOf(f.risks)} />
        <FilterPill param="kind" name={words.kind} choices={choicesOf(f.kinds)} />
      </FilterRow>
      <Section title={words.table} note={rows && t.list.shown(rows.length, false)}>
        <p style={{ margin: '0 0 8px' }}>
          <Note>{words.lead}</Note>
        </p>
        <Loaded query={query} permission="fixes.read">
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState title={words.emptyTitle}>{words.empty}</EmptyState>
            ) : rows?.length ? (
              <DataTable label={words.table} rows={rows} columns={columns} rowKey={(row) => row.id} href={(row) => paths.fixes('recipes', { ...search, item: row.id })} selected={item} />
            ) : (
              <NoMatch onClear={() => set(Object.fromEntries(FILTERS.map((key) => [key, undefined])))} />
            )
          }
        </Loaded>
      </Section>
      {item && chosen && <RecipePanel recipe={chosen} place={{ keys: rows?.map((each) => each.id) ?? [], hasMore: false }} />}
    </>
  );
}

function RecipePanel({ recipe, place }: { recipe: FixRecipe; place: Place }) {
  const panel = usePanelStyles();
  return (
    <SidePanel item={recipe.id} title={recipe.title} place={place}>
      <Part>
        <div className={panel.badges}>
          <RiskBadge risk={recipe.risk} />
          <Granted recipe={recipe} />
          <span>{f.kinds[recipe.kind]}</span>
        </div>
      </Part>
      <Part title={words.who}>{recipe.blast_radius}</Part>
      <Part title={words.back}>
        {recipe.rollback}
        {recipe.after_note && <p style={{ marginBottom: 0 }}>{recipe.after_note}</p>}
      </Part>
      <Part title={f.panel.facts}>
        <Facts
          facts={[
            [words.method, <Mono key="method">{recipe.method} {recipe.path}</Mono>],
            [words.permission, <Mono key="permission">{recipe.permission}</Mono>],
            [words.licence, recipe.licence],
            [f.panel.recipe, <Mono key="id">{f.panel.version(recipe.id, recipe.version)}</Mono>],
          ]}
        />
      </Part>
      <Part title={f.panel.checks}>
        <ul style={{ margin: 0, paddingLeft: 20 }} aria-label={f.panel.checks}>
          {recipe.checks.map((check) => (
            <li key={check}>
              <AppLink inline href={paths.checks({ search: check, item: check })}>
                {check}
              </AppLink>
            </li>
          ))}
        </ul>
      </Part>
    </SidePanel>
  );
}
