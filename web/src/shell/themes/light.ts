export { webLightTheme as theme } from '@fluentui/tokens';
