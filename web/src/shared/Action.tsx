// A button that says why it is disabled instead of hiding.
import { Button, type ButtonProps, Tooltip } from '@fluentui/react-components';

/** `whyNot` disables the button and is read out with it; it stays focusable so that the reason can be reached by keyboard. */
export function Action({ whyNot, ...rest }: ButtonProps & { whyNot?: string }) {
  const button = <Button {...(rest as ButtonProps)} disabledFocusable={rest.disabledFocusable || whyNot !== undefined} />;
  return whyNot === undefined ? button : (
    <Tooltip content={whyNot} relationship="description">
      {button}
    </Tooltip>
  );
}
