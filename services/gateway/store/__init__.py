"""Every statement the gateway writes with, by subject; its role may insert jobs and can never update one."""
