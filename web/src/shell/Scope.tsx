// The directory and project that the whole portal is narrowed to.
import { Button, makeStyles } from '@fluentui/react-components';
import { Building20Regular, ChevronDown16Regular, Folder20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useMay } from '@/api/me';
import { directoriesQuery, projectsQuery } from '@/api/queries';
import { t } from '@/messages';
import { lateMenu } from '@/shared/LateMenu';
import { useScope } from '@/shared/location';
import type { Choices } from './ScopeMenuList';

const Menu = lateMenu<Choices>(() => import('./ScopeMenuList'));

const useStyles = makeStyles({
  button: { maxWidth: '220px', fontWeight: 400 },
  text: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
});

export function ScopePickers() {
  const { directory, project } = useScope();
  const directories = useQuery({ ...directoriesQuery, enabled: useMay('directories.read') }).data?.items ?? [];
  const projects = useQuery({ ...projectsQuery, enabled: useMay('projects.read') }).data?.items ?? [];
  return (
    <>
      {(directories.length > 0 || directory) && <Picker param="directory" name={t.scope.directory} all={t.scope.allDirectories} icon={<Building20Regular />} items={directories} chosen={directory} />}
      {(projects.length > 0 || project) && <Picker param="project" name={t.scope.project} all={t.scope.allProjects} icon={<Folder20Regular />} items={projects} chosen={project} />}
    </>
  );
}

interface PickerProps extends Choices {
  name: string;
  icon: ReactElement;
}

function Picker({ name, icon, ...choices }: PickerProps) {
  const styles = useStyles();
  const { all, items, chosen } = choices;
  const label = chosen === undefined ? all : (items.find((item) => item.id === chosen)?.name ?? chosen);
  const button = (
    <Button size="small" appearance={chosen ? 'outline' : 'subtle'} icon={icon} className={styles.button} aria-label={t.filter.is(name, label)}>
      <span className={styles.text}>{label}</span>
      <ChevronDown16Regular aria-hidden />
    </Button>
  );
  return <Menu {...choices} trigger={button} />;
}

/** The name of a directory, for lists that carry its id only. */
export function useDirectoryName(): (id: string | null | undefined) => string | undefined {
  const directories = useQuery({ ...directoriesQuery, enabled: useMay('directories.read') }).data?.items;
  return (id) => (id ? (directories?.find((each) => each.id === id)?.name ?? id.slice(0, 8)) : undefined);
}

export function useProjectName(): (id: string | null | undefined) => string | undefined {
  const projects = useQuery({ ...projectsQuery, enabled: useMay('projects.read') }).data?.items;
  return (id) => (id ? (projects?.find((each) => each.id === id)?.name ?? id.slice(0, 8)) : undefined);
}
