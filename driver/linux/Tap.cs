using System.Text;

namespace ControlPlane.DriverLinux;

/// <summary>A persistent tap for a hypervisor to open by its name.</summary>
static unsafe class Tap
{
    const nuint SetInterface = 0x400454ca;
    const nuint SetPersistent = 0x400454cb;
    const short TapWithoutPacketInfo = 0x0002 | 0x1000;

    public static void Ensure(string networkNamespace, string name) => NetworkNamespace.Run(networkNamespace, () =>
    {
        using var tun = Libc.OpenOrThrow("/dev/net/tun", Libc.ReadWrite);
        byte* request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        Encoding.ASCII.GetBytes(name, new Span<byte>(request, 15));
        *(short*)(request + 16) = TapWithoutPacketInfo;
        Libc.Check(Libc.Control(tun, SetInterface, request), "make tap " + name);
        Libc.Check(Libc.Control(tun, SetPersistent, (void*)1), "keep tap " + name);
        return true;
    });
}
