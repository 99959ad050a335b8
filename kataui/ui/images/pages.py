"""Every page of the tab, loaded together when one is first needed: they need cryptography."""

from kataui.images.protectsample import protect_sample
from kataui.ui.images.buildpage import BuildPage
from kataui.ui.images.comparepage import CompareImagesPage
from kataui.ui.images.flow import Flow
from kataui.ui.images.imagepage import ImageActions, ImagePage
from kataui.ui.images.keyspage import KeysPage
from kataui.ui.images.samplepage import SamplePage
from kataui.ui.images.toolpages import DecryptPage, RecipientsPage, SignPage
from kataui.ui.images.verifypage import VerifyPage
from kataui.ui.images.wizard import Outside, ProtectWizard

__all__ = [
    "BuildPage",
    "CompareImagesPage",
    "DecryptPage",
    "Flow",
    "ImageActions",
    "ImagePage",
    "KeysPage",
    "Outside",
    "ProtectWizard",
    "RecipientsPage",
    "SamplePage",
    "SignPage",
    "VerifyPage",
    "protect_sample",
]
