// The frame around every page: navigation on the left in the order of the spine, the bar on top, the page between them.
import { Button, makeStyles, mergeClasses, tokens, Tooltip, useRestoreFocusTarget } from '@fluentui/react-components';
import {
  Alert20Regular, ArrowSwap20Regular, Board20Regular, BookSearch20Regular, BuildingMultiple20Regular, ClipboardTaskListLtr20Regular, DocumentMultiple20Regular, History20Regular, Navigation20Regular, PersonAlert20Regular,
  PlayCircle20Regular, ScanDash20Regular, Search20Regular, Settings20Regular, ShieldCheckmark20Regular, Warning20Regular, Wrench20Regular,
} from '@fluentui/react-icons';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, type ReactElement, Suspense, useEffect, useEffectEvent, useRef, useState } from 'react';
import { useMe } from '@/api/me';
import type { Permission } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { BareLink, usePath } from '@/shared/location';
import { TITLE_ID } from '@/shared/Page';
import { PersonMenu } from './PersonMenu';
import { ScopePickers } from './Scope';

const CommandPalette = lazy(() => import('./CommandPalette'));

const NARROW = '@media (max-width: 900px)';
const BAR = '48px';

const useStyles = makeStyles({
  skip: {
    position: 'fixed', top: '8px', left: '8px', zIndex: 1000, padding: '8px 16px', backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorBrandForeground1, borderRadius: tokens.borderRadiusMedium,
    boxShadow: tokens.shadow16, transform: 'translateY(-200%)', ':focus': { transform: 'none' },
  },
  bar: {
    position: 'sticky', top: 0, zIndex: 100, height: BAR, display: 'flex', alignItems: 'center', gap: tokens.spacingHorizontalS, padding: `0 ${tokens.spacingHorizontalM}`, boxSizing: 'border-box',
    backgroundColor: tokens.colorNeutralBackground1, borderBottom: `1px solid ${tokens.colorNeutralStroke2}`,
  },
  menu: { display: 'none', [NARROW]: { display: 'inline-flex' } },
  brand: { display: 'flex', alignItems: 'center', gap: tokens.spacingHorizontalS, fontWeight: tokens.fontWeightSemibold, fontSize: tokens.fontSizeBase400, minWidth: 0, whiteSpace: 'nowrap', borderRadius: tokens.borderRadiusMedium },
  logo: { width: '24px', height: '24px' },
  tenant: {
    color: tokens.colorNeutralForeground2, fontWeight: tokens.fontWeightRegular, fontSize: tokens.fontSizeBase300, overflow: 'hidden', textOverflow: 'ellipsis', paddingLeft: tokens.spacingHorizontalS,
    borderLeft: `1px solid ${tokens.colorNeutralStroke1}`, '@media (max-width: 480px)': { display: 'none' },
  },
  spring: { flexGrow: 1 },
  scopeWide: { display: 'flex', gap: tokens.spacingHorizontalXS, [NARROW]: { display: 'none' } },
  scopeNarrow: { display: 'none', [NARROW]: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalXS, padding: `${tokens.spacingVerticalS} 0`, borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, marginBottom: tokens.spacingVerticalS } },
  search: { width: '300px', justifyContent: 'flex-start', fontWeight: tokens.fontWeightRegular, color: tokens.colorNeutralForeground3, '@media (max-width: 1180px)': { display: 'none' } },
  searchKeys: { marginLeft: 'auto', fontSize: tokens.fontSizeBase100, border: `1px solid ${tokens.colorNeutralStroke1}`, borderRadius: tokens.borderRadiusSmall, padding: '0 4px' },
  searchSmall: { display: 'none', '@media (max-width: 1180px)': { display: 'inline-flex' } },
  frame: { display: 'flex', alignItems: 'flex-start' },
  nav: {
    position: 'sticky', top: BAR, width: '216px', flexShrink: 0, height: `calc(100vh - ${BAR})`, overflowY: 'auto', boxSizing: 'border-box', padding: tokens.spacingHorizontalS,
    backgroundColor: tokens.colorNeutralBackground3, borderRight: `1px solid ${tokens.colorNeutralStroke2}`,
    [NARROW]: { display: 'none', position: 'fixed', left: 0, zIndex: 90, width: 'min(300px, 100vw)', boxShadow: tokens.shadow28 },
  },
  navOpen: { [NARROW]: { display: 'block' } },
  list: { listStyleType: 'none', margin: 0, padding: 0 },
  group: { padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalM} ${tokens.spacingVerticalXS}`, color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, fontWeight: tokens.fontWeightSemibold },
  rule: { borderTop: `1px solid ${tokens.colorNeutralStroke2}`, margin: `${tokens.spacingVerticalS} 0` },
  item: {
    display: 'flex', alignItems: 'center', gap: tokens.spacingHorizontalM, height: '36px', padding: `0 ${tokens.spacingHorizontalM}`, borderRadius: tokens.borderRadiusMedium, color: tokens.colorNeutralForeground1,
    ':hover': { backgroundColor: tokens.colorNeutralBackground3Hover, color: tokens.colorNeutralForeground1Hover },
  },
  here: {
    backgroundColor: tokens.colorNeutralBackground1Selected, fontWeight: tokens.fontWeightSemibold, boxShadow: `inset 3px 0 0 ${tokens.colorCompoundBrandStroke}`,
    color: tokens.colorNeutralForeground1Selected,
  },
  icon: { display: 'flex' },
  main: { flexGrow: 1, minWidth: 0, padding: `${tokens.spacingVerticalL} ${tokens.spacingHorizontalXXL} ${tokens.spacingVerticalXXXL}`, '@media (max-width: 640px)': { padding: tokens.spacingHorizontalM } },
});

interface Entry {
  name: string;
  href: string;
  icon: ReactElement;
  permission?: Permission;
}

/** In the order of the spine. A section appears when the person may see it. */
export const SECTIONS: (Entry | { group: string } | 'rule')[] = [
  { name: t.nav.overview, href: paths.overview(), icon: <Board20Regular /> },
  { name: t.nav.findings, href: paths.findings(), icon: <Warning20Regular />, permission: 'findings.read' },
  { name: t.nav.changes, href: paths.changes(), icon: <ArrowSwap20Regular />, permission: 'findings.read' },
  { group: t.nav.evidence },
  { name: t.nav.runs, href: paths.runs(), icon: <PlayCircle20Regular />, permission: 'runs.read' },
  { name: t.nav.reports, href: paths.reports(), icon: <DocumentMultiple20Regular />, permission: 'runs.read' },
  { name: t.nav.controls, href: paths.controls(), icon: <ClipboardTaskListLtr20Regular />, permission: 'findings.read' },
  { group: t.nav.microsoft365 },
  { name: t.nav.directories, href: paths.directories(), icon: <BuildingMultiple20Regular />, permission: 'connections.read' },
  { name: t.nav.scans, href: paths.scans(), icon: <ScanDash20Regular />, permission: 'scans.read' },
  { name: t.nav.policies, href: paths.policies(), icon: <ShieldCheckmark20Regular />, permission: 'live.read' },
  { name: t.nav.threats, href: paths.threats(), icon: <PersonAlert20Regular />, permission: 'live.read' },
  { name: t.nav.fixes, href: paths.fixes(), icon: <Wrench20Regular />, permission: 'fixes.read' },
  { name: t.nav.checks, href: paths.checks(), icon: <BookSearch20Regular />, permission: 'scans.read' },
  'rule',
  { name: t.nav.trail, href: paths.trail(), icon: <History20Regular />, permission: 'trail.read' },
  { name: t.nav.notifications, href: paths.notifications(), icon: <Alert20Regular />, permission: 'notifications.read' },
  { name: t.nav.settings, href: paths.settings(), icon: <Settings20Regular />, permission: 'settings.read' },
];

export function Shell() {
  const styles = useStyles();
  const me = useMe();
  const path = usePath();
  const [navOpen, setNavOpen] = useState(false);
  const [palette, setPalette] = useState(false);
  useFocusOnNewPage(() => setNavOpen(false));
  // Dialogs hide the page behind them from those who listen. What shows it again must be there before the first dialog opens, and not come with it.
  useRestoreFocusTarget();

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setPalette(true);
      }
      if (event.key === 'Escape') setNavOpen(false);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  return (
    <>
      <a href="#content" className={styles.skip} onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus(); }}>
        {t.app.skip}
      </a>
      <header className={styles.bar} aria-label={t.app.topBar}>
        <Button
          className={styles.menu} appearance="subtle" icon={<Navigation20Regular />} aria-expanded={navOpen} aria-controls="sections"
          aria-label={navOpen ? t.app.closeNavigation : t.app.openNavigation} onClick={() => setNavOpen(!navOpen)}
        />
        <BareLink href={paths.overview()} className={styles.brand}>
          <img src="/favicon.svg" alt="" className={styles.logo} />
          Bailiwick
          <span className={styles.tenant}>{me.tenant_name}</span>
        </BareLink>
        <div className={styles.spring} />
        <Button size="small" className={styles.search} icon={<Search20Regular />} onClick={() => setPalette(true)} aria-keyshortcuts="Control+K">
          {t.app.search} <span className={styles.searchKeys}>Ctrl K</span>
        </Button>
        <Tooltip content={t.app.searchShort} relationship="label">
          <Button className={styles.searchSmall} appearance="subtle" icon={<Search20Regular />} onClick={() => setPalette(true)} aria-keyshortcuts="Control+K" />
        </Tooltip>
        <div className={styles.scopeWide}>
          <ScopePickers />
        </div>
        <PersonMenu />
      </header>
      <div className={styles.frame}>
        <nav id="sections" aria-label={t.app.navigation} className={mergeClasses(styles.nav, navOpen && styles.navOpen)}>
          <div className={styles.scopeNarrow}>
            <ScopePickers />
          </div>
          <Sections path={path} />
        </nav>
        <main id="content" tabIndex={-1} className={styles.main} style={{ outline: 'none' }}>
          <Outlet />
        </main>
      </div>
      {palette && (
        <Suspense>
          <CommandPalette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </>
  );
}

function Sections({ path }: { path: string }) {
  const styles = useStyles();
  const { permissions } = useMe();
  const seen = (entry: Entry) => !entry.permission || permissions.includes(entry.permission);
  const here = (href: string) => (href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`));
  return (
    <ul className={styles.list}>
      {SECTIONS.map((section, index) => {
        if (section === 'rule') return <li key={index} aria-hidden className={styles.rule} />;
        if ('group' in section) {
          // A group without a section that may be seen is not named.
          const until = SECTIONS.findIndex((each, at) => at > index && (each === 'rule' || 'group' in each));
          if (!SECTIONS.slice(index + 1, until).some((each) => each !== 'rule' && 'href' in each && seen(each))) return null;
          return (
            <li key={section.group} className={styles.group}>
              {section.group}
            </li>
          );
        }
        if (!seen(section)) return null;
        return (
          <li key={section.href}>
            <BareLink href={section.href} className={mergeClasses(styles.item, here(section.href) && styles.here)} aria-current={here(section.href) ? 'page' : undefined}>
              <span className={styles.icon} aria-hidden>
                {section.icon}
              </span>
              {section.name}
            </BareLink>
          </li>
        );
      })}
    </ul>
  );
}

/** A new page begins at its title, for those who cannot see that it changed. */
function useFocusOnNewPage(onNewPage: () => void): void {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const before = useRef(path);
  const arrived = useEffectEvent(onNewPage);
  const wentBack = useRef(false);
  useEffect(() => {
    const note = () => {
      wentBack.current = location.pathname !== before.current;
    };
    window.addEventListener('popstate', note);
    return () => window.removeEventListener('popstate', note);
  }, []);
  useEffect(() => {
    const first = before.current === undefined;
    if (before.current === path) return;
    before.current = path;
    arrived();
    if (first) return;
    // Going back returns to where one was; the browser sees to that.
    if (!wentBack.current) window.scrollTo(0, 0);
    wentBack.current = false;
    document.getElementById(TITLE_ID)?.focus({ preventScroll: true });
  }, [path]);
}
