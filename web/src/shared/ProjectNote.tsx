// Said where the API cannot narrow a list by project, so that nobody takes the whole for a part.
import { MessageBar, MessageBarBody } from '@fluentui/react-components';
import { t } from '@/messages';
import { useScope } from './location';

export function ProjectNote() {
  return useScope().project === undefined ? null : (
    <MessageBar>
      <MessageBarBody>{t.scope.notByProject}</MessageBarBody>
    </MessageBar>
  );
}
